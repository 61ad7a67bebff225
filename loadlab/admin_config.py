"""Django's admin with our site in place of the stock one: the same paths, other pages first."""

from django.contrib.admin.apps import AdminConfig


class LoadLabAdminConfig(AdminConfig):
    """Django's admin with our index and pages."""

    default_site = "loadlab.admin_site.LoadLabAdminSite"
