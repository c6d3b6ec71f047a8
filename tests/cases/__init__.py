"""What must hold for every answer about the public cases: proof, names that do not matter, the same twice, the marks.

The cases lie beside the checkout and are no part of it: where they are absent, deselect with ``-m "not cases"``.
"""
