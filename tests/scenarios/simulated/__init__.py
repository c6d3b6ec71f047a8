"""A simulator of microservice shops, for measuring how well the engine finds the origin of trouble.

``shop`` makes a random call graph and works out, minute by minute, what its services would do; ``faults`` are the ways
in which a part of it breaks; ``telemetry`` is what a site's metrics would show of it; ``incidents`` draws one
incident from a seed: shop, fault, what can be seen, and the truth. Nothing here reads the engine's own code but its
values, so that the engine is not measured against its own assumptions.
"""
