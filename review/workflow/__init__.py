"""The story: launch, remind, close, count, publish, tick; HR's desk and everyone's start page. Nobody calls it."""
