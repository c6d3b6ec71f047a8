"""Amazon SNS signs its messages with RSA; its certificates are fetched from SNS itself, and from nowhere else."""

from agent_sre.adapters.sns_signature.certificates import Certificates
from agent_sre.adapters.sns_signature.proof import SnsProof

__all__ = ["Certificates", "SnsProof"]
