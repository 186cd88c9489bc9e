"""What several test files share. It has no tests itself."""

from pathlib import Path

ROOT = Path(__file__).parents[2]  # of the project
