"""The figures, drawn as SVG by hand: dark pages, phones and equal bytes ask for it."""
