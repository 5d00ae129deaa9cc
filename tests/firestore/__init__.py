"""A Firestore that keeps documents in memory and follows the published REST reference.

Every request is read into, and every answer built from, the protobuf types of google-cloud-firestore: what goes over the wire is what their JSON
mapping makes of them, not what our own reading expects.

    ordering   how values compare
    querying   a structured query over documents
    server     the HTTP side: credentials, faults on demand, reads as they are billed
"""
