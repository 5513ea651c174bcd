"""The files of OCT devices: where in them the B-scans are, and what they say.

Heidelberg Spectralis (``.vol``, ``.E2E``) and Topcon (``.fda``), by numpy and struct.
eyepy cannot be installed on Python 3.11 or later, and oct-converter's reader of
``.fda`` does not run on numpy 2.3 or later; both open a path again that may lead
elsewhere by now, and neither reads one B-scan without the others.
"""

VENDOR_OCT_ENDINGS = (".vol", ".e2e", ".fda")
"""How the names of such files end, in small or large letters."""
