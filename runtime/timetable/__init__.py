"""When every unit does what: the timetable of an image, as activities, a chart or a trace."""

from runtime.timetable.activity import Activity, activities

__all__ = ["Activity", "activities"]
