"""The lab's controls: a widget a setting, and what stands beside them."""
