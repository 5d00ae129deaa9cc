"""For all tests: Hypothesis draws the same examples each time, but in a soak; a noisy machine has no deadlines."""

import os

from hypothesis import settings

settings.register_profile("seeded", derandomize=True, deadline=None)
settings.register_profile("soak", deadline=None, print_blob=True)
settings.load_profile("soak" if os.environ.get("SYNCSOURCE_TEST_SOAK") else "seeded")
