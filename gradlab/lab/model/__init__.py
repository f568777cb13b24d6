"""What the lab computes, as plain data: settings, the problem that they pose, the result."""
