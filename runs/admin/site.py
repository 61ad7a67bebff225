"""The admin site: Django's own with a dashboard for index, and pages that are no model's."""

from django.contrib.admin import AdminSite


class LoadLabAdminSite(AdminSite):
    """Where load tests are launched, watched, understood and compared."""

    site_header = "loadlab"
    site_title = "loadlab"
    site_url = None
    enable_nav_sidebar = False
