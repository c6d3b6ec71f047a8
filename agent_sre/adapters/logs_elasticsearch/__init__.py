"""Logs from Elasticsearch or OpenSearch, asked in their common query DSL over HTTP.

They compare analysed words, so what they find is looked at once more here, line by line. A sample is drawn there: every
document gets a random score from a fixed seed, and the best are taken. Never more than 10,000 documents are wanted, so
plain pages (``from`` and ``size``) reach all of them; no point in time is opened, which would need a further right and
has another form in each of the two. Only ``read`` on the indices is needed.
"""

from agent_sre.adapters.logs_elasticsearch.language import SCHEMAS
from agent_sre.adapters.logs_elasticsearch.probe import ElasticsearchProbe
from agent_sre.adapters.logs_elasticsearch.reader import Elasticsearch

__all__ = ["SCHEMAS", "Elasticsearch", "ElasticsearchProbe"]
"""Both names stand for OpenSearch too."""
