"""What the searches for slips and geometries are made of."""
