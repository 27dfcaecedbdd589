"""Against the server in RAG_INTAKE_URL: python3 -m unittest, in this folder. `test/client/python.test.ts` starts one."""

import os
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

from rag_intake import Client, RagIntakeError

URL = os.environ["RAG_INTAKE_URL"]
KEY = os.environ.get("RAG_INTAKE_KEY")


class AgainstAServer(unittest.TestCase):
    def setUp(self):
        self.client = Client(URL + "/", key=KEY)

    def test_inserts_a_file_finds_it_and_removes_it(self):
        with tempfile.NamedTemporaryFile(suffix=".md") as file:
            file.write("# 水泵\n\nVent the pump before the start. 启动前排气。\n".encode())
            file.flush()
            task = self.client.insert("手册/pump 1", file.name, metadata={"department": "plant"})
        self.assertEqual(task["status"], "completed")
        hit = self.client.search("排气", top_k=3)["hits"][0]
        self.assertEqual(hit["citation"]["doc_id"], "手册/pump 1")
        self.assertEqual(hit["citation"]["metadata"], {"department": "plant"})
        self.assertIn("# 水泵", self.client.content("手册/pump 1"))
        self.assertEqual(self.client.document("手册/pump 1")["filename"], os.path.basename(file.name))
        self.client.remove("手册/pump 1")
        with self.assertRaises(RagIntakeError) as refused:
            self.client.document("手册/pump 1")
        self.assertEqual((refused.exception.status, refused.exception.code), (404, "not_found"))

    def test_follows_a_task_that_it_did_not_wait_for(self):
        task = self.client.insert("later", b"Later there is text.", filename="later.txt", wait=False)
        self.assertEqual(self.client.wait_for(task["task_id"])["status"], "completed")
        self.assertIn(task["task_id"], [each["task_id"] for each in self.client.tasks(limit=10)["tasks"]])

    def test_inserts_many_at_once(self):
        lines = [{"doc_id": f"many-{n}", "text": f"Text number {n}."} for n in range(20)]
        answers = list(self.client.insert_many(lines + [{"doc_id": "", "text": "x"}]))
        self.assertEqual([answer["doc_id"] for answer in answers[:20]], [line["doc_id"] for line in lines])
        self.assertTrue(all("task_id" in answer for answer in answers[:20]))
        self.assertEqual(answers[20]["error"]["status"], 422)

    def test_says_what_the_server_says_of_a_file_that_cannot_be_read(self):
        task_or_error = None
        try:
            task_or_error = self.client.insert("tool", b"MZ\x90\x00\x03\x00\x00\x00\x04\x00", filename="tool.exe")
        except RagIntakeError as error:
            self.assertIn("tool.exe", str(error))
        self.assertIsNone(task_or_error)


class Patience(unittest.TestCase):
    def test_tries_again_what_the_server_asks_to_and_gives_up_in_time(self):
        asked = []

        class Busy(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                ready = len(asked) == 3
                self.send_response(200 if ready else 503)
                self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(b'{"documents": []}' if ready else b"not JSON")

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Busy)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            self.assertEqual(Client(url).documents(), {"documents": []})
            with self.assertRaises(RagIntakeError) as refused:
                Client(url, patience=0).documents()
            self.assertEqual((refused.exception.status, refused.exception.code), (503, "unknown"))
        finally:
            server.shutdown()
            server.server_close()


if __name__ == "__main__":
    unittest.main()
