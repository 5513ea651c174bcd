"""Input that is made to hurt: refused, shown as text, and never run."""
