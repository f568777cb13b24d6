"""The one lock of the lab."""

import threading

__all__ = ["LOCK"]

#: Held while settings change, while a result is computed and while it is drawn. JupyterLab runs a
#: slider's callback on another thread than the cells; matplotlib's caches belong to the process.
LOCK = threading.RLock()
