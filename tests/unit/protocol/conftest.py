"""How hypothesis runs here: a shared machine may take its time over one example."""

import hypothesis

hypothesis.settings.register_profile("protocol", deadline=None)
hypothesis.settings.load_profile("protocol")
