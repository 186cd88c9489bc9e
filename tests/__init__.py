"""The tests, in folders as the packages; `support` holds what several of them share."""
