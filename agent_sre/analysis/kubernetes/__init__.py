"""What Kubernetes objects say, read defensively: ownership, generations, selectors, placement, excerpts to cite.

Objects come from live clusters, exports and text that was turned back into objects, so any field may be absent or of
the wrong type; absent is not unset. Nothing here judges; the families beside this package do.
"""
