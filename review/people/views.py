"""All pages of this room: at the door, at HR's desk, and the import of a roster."""

from review.people import desk_views, door_views, import_views
from review.people.blueprint import bp

__all__ = ["bp", "desk_views", "door_views", "import_views"]
