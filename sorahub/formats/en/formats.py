"""Dates as the pages write them: the day before the month's name, so that nobody reads one for the other."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
