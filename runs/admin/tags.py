"""How figures are written on a page: with their unit, which never leaves them at the end of a line."""

from django import template

register = template.Library()
