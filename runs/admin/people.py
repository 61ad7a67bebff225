"""Users in the admin: Django's own, but for dates that two unlabelled fields would ask for."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin

admin.site.unregister(get_user_model())


@admin.register(get_user_model())
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """When somebody joined and last logged in is what happened: shown, not asked for."""

    readonly_fields = ("last_login", "date_joined")
