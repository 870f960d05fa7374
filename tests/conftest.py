"""How hypothesis runs in all tests: that a shared machine takes its time over an example is no failure."""

import hypothesis

hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")
