"""Pictures for people: what a segmentation shows, laid over its image.

`colours` gives each name its colour, `painting` lays masks over a picture, `overlays`
chooses the view: a photograph, a B-scan, or a volume seen from the front.
"""
