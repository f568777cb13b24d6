"""For tests and lessons alike: whoever runs them has a progress of their own, and it stays out."""

import os
import tempfile

# Before any kernel starts, so that the lessons that nbval runs inherit it.
_HOME = tempfile.TemporaryDirectory(prefix="gradlab-home-", ignore_cleanup_errors=True)
os.environ["GRADLAB_HOME"] = _HOME.name
