"""Segmentations under crowds, kills, cuts and damage: nothing lost, nothing torn."""
