"""A client for rag-intake in one file, of Python's standard library alone (3.9 or newer). Copy it beside your program.

    from rag_intake import Client
    client = Client("http://127.0.0.1:8000", key="rk_...")
    task = client.insert("handbook", "handbook.pdf")
    for hit in client.search("how is the pump vented?")["hits"]:
        print(hit["citation"]["filename"], hit["citation"]["page"], hit["text"])
"""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

__all__ = ["Client", "RagIntakeError"]

_RETRY_SECONDS_MIN = 0.25
_POLL_SECONDS = 30


class RagIntakeError(Exception):
    """What the server refused, in its own words. `code` is stable: not_found, quota_exceeded, ..."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail") or f"The server answered {status}.")
        self.status = status
        self.code = problem.get("code", "unknown")
        self.request_id = problem.get("request_id")
        self.problem = problem


class Client:
    """`url`: of the server, with its path prefix. `key`: an API key. `collection`: what everything is about; else the key's own.

    `patience`: seconds that 429 and 503 are tried again, as Retry-After says. `timeout`: seconds of silence after which a request ends.
    """

    def __init__(self, url="http://127.0.0.1:8000", key=None, collection=None, patience=60, timeout=120):
        self.url = url.rstrip("/")
        self.key = key
        self.collection = collection
        self.patience = patience
        self.timeout = timeout

    def insert(self, doc_id, content, filename=None, metadata=..., wait=True):
        """Stores a document under a name of yours, in place of the one before, and waits until it has been read.

        `content`: bytes, or the path of a file, which is streamed. `metadata`: a dict; None takes it away; left out, it stays.
        Returns the task; it may have failed, and its "error" says why. The same call again is safe.
        """
        path = None if isinstance(content, (bytes, bytearray)) else os.fspath(content)
        query = {"filename": filename or (os.path.basename(path) if path else None)}
        if metadata is not ...:
            query["metadata"] = json.dumps(metadata)
        headers = {"Content-Type": "application/octet-stream"}
        if not wait:
            headers["Prefer"] = "respond-async"
        with self._ask("PUT", self._document(doc_id), query, content if path is None else None, headers, path) as answer:
            task = json.load(answer)
            return self.wait_for(task["task_id"]) if wait and answer.status == 202 else task

    def insert_many(self, documents):
        """Many small ones in one request: dicts of doc_id, text (or file_base64), filename, metadata. Yields an answer for each, in order."""
        body = "".join(json.dumps(document) + "\n" for document in documents).encode()
        with self._ask("POST", "/documents:batch", {}, body, {"Content-Type": "application/x-ndjson"}) as answer:
            for line in answer:
                yield json.loads(line)

    def search(self, query, **options):
        """`options`: top_k, mode, filters, min_relevance, group_by, collections, ... as POST /search takes them."""
        if self.collection is not None and "collections" not in options:
            options.setdefault("collection", self.collection)
        body = json.dumps({"query": query, **options}).encode()
        return self._json("POST", "/search", None, body, {"Content-Type": "application/json"})

    def task(self, task_id, wait=0):
        return self._json("GET", "/task/" + _quoted(task_id), {"wait": wait or None})

    def wait_for(self, task_id):
        """Until it is completed or failed."""
        while True:
            task = self.task(task_id, wait=_POLL_SECONDS)
            if task["status"] in ("completed", "failed"):
                return task

    def cancel(self, task_id, force=False):
        return self._json("DELETE", "/task/" + _quoted(task_id), {"force": "true" if force else None})

    def retry(self, task_id):
        return self._json("POST", f"/task/{_quoted(task_id)}/retry", None)

    def tasks(self, **page):
        """A page: tasks and next_cursor. `page`: q, status, doc_id, filters, sort, limit, cursor."""
        return self._json("GET", "/tasks", page)

    def documents(self, **page):
        """A page: documents and next_cursor. `page`: q, filters, sort, limit, cursor."""
        return self._json("GET", "/documents", page)

    def document(self, doc_id):
        return self._json("GET", self._document(doc_id), {})

    def content(self, doc_id):
        """The text as Markdown."""
        with self._ask("GET", self._document(doc_id) + "/content", {}) as answer:
            return answer.read().decode()

    def remove(self, doc_id):
        return self._json("DELETE", self._document(doc_id), {})

    def _document(self, doc_id):
        return "/documents/" + _quoted(doc_id)

    def _json(self, method, path, query, body=None, headers=None):
        with self._ask(method, path, query, body, headers) as answer:
            return json.load(answer)

    def _ask(self, method, path, query, body=None, headers=None, file=None):
        """`query` None: not about a collection. `file` is opened anew for each try."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if query is not None and self.collection is not None and not path.startswith("/task/"):
            given.setdefault("collection", self.collection)
        url = self.url + path + ("?" + urllib.parse.urlencode(given) if given else "")
        started = time.monotonic()
        while True:
            request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))
            if self.key is not None:
                request.add_header("Authorization", "Bearer " + self.key)
            opened = open(file, "rb") if file is not None else None
            try:
                if opened is not None:
                    request.data = opened
                    request.add_header("Content-Length", str(os.fstat(opened.fileno()).st_size))
                return urllib.request.urlopen(request, timeout=self.timeout)
            except urllib.error.HTTPError as error:
                with error:
                    problem = _problem(error.read())
                    wait = max(_RETRY_SECONDS_MIN, float(error.headers.get("Retry-After") or 1))
                if error.code not in (429, 503) or time.monotonic() - started + wait > self.patience:
                    raise RagIntakeError(error.code, problem) from None
                time.sleep(wait)
            finally:
                if opened is not None:
                    opened.close()


def _quoted(name):
    return urllib.parse.quote(name, safe="")


def _problem(body):
    try:
        problem = json.loads(body)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
