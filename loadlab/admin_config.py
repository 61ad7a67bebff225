"""Which admin site there is; apart from the site itself, since apps are named before models load."""

from django.contrib.admin.apps import AdminConfig


class LoadLabAdminConfig(AdminConfig):
    """Django's admin with our index and pages."""

    default_site = "loadlab.admin_site.LoadLabAdminSite"
