"""Tests of the benchmarks' arithmetic and reports: no engine, and nothing but Python itself. BenchTest starts them in every build."""
import json
import sys
import tempfile
import types
import unittest
from unittest import mock

import compare
import report

ENGINE = """
import sys
print("ready 0.1", flush=True)
for line in sys.stdin:
    print({seconds}, flush=True)
"""


def engine(name, seconds):
    return name, [sys.executable, "-c", ENGINE.format(seconds=seconds)], {}


def broken(name):
    return name, [sys.executable, "-c", "raise SystemExit('no such model')"], {}


def measured(stages, *engines):
    arguments = types.SimpleNamespace(stages=stages, pairs=3, threads=1)
    with mock.patch.object(compare, "engines", lambda *_: engines), mock.patch.object(compare, "difference", lambda *_: 1e-5), \
            mock.patch.object(sys, "stderr"), tempfile.TemporaryDirectory() as folder:
        result = compare.measure(arguments, "sd15", "f32", "none", folder)
        return result, compare.report(arguments, {("sd15", "f32"): result}, 60)


class Compare(unittest.TestCase):
    def test_what_was_not_asked_for_is_null(self):
        for stages in ("text", "vae", "unet", "vae,text"):
            result, _ = measured(stages, engine("sfumato", 0.5), engine("channels_last", 1.0))
            ratios = json.loads(json.dumps(compare.ratios({("sd15", "f32"): result}, "sd15")))
            for key, stage in (("unet_fp32", "unet"), ("vae", "vae")):
                if stage in stages:
                    self.assertEqual((0.5, 0.5, 1.0, 3, None), tuple(ratios[key][k] for k in (
                        "ratio_to_diffusers", "sfumato_s", "diffusers_s", "pairs", "openvino_s")))
                else:
                    self.assertIsNone(ratios[key])
            self.assertIsNone(ratios["unet_bf16"])
            self.assertGreater(ratios["peak_memory_ratio"], 0)

    def test_a_peer_that_does_not_run_is_named(self):
        result, parts = measured("unet", engine("sfumato", 0.5), broken("openvino"))
        self.assertEqual({"openvino": "no such model"}, result["failed"])
        self.assertIn("openvino did not run: no such model", report.markdown(parts))
        self.assertIsNone(compare.ratios({("sd15", "f32"): result}, "sd15")["unet_fp32"]["openvino_s"])

    def test_without_sfumato_there_is_nothing_to_compare(self):
        with self.assertRaisesRegex(SystemExit, "^bench: Sfumato itself does not run: no such model$"):
            measured("unet", broken("sfumato"), engine("openvino", 1.0))

    def test_options(self):
        def refused(*words):
            with mock.patch.object(sys, "argv", ["compare.py", "--work", "w", *words]), mock.patch.object(sys, "stderr") as err:
                self.assertRaises(SystemExit, compare.parse)
                return "".join(call.args[0] for call in err.write.call_args_list)
        self.assertIn("argument --stages: 'unte' is none of unet, vae, text", refused("--stages", "text,unte"))
        self.assertIn("argument --pairs: must be a whole number of at least 1, not '0'", refused("--pairs", "0"))


class Report(unittest.TestCase):
    PARTS = [report.heading(1, "A & B"), report.text("1 < 2"), report.table(["what", "ratio"], [["a|b", "**1.20**"], ["<c>", "0.9"]])]

    def test_markdown(self):
        self.assertEqual("# A & B\n\n1 < 2\n\n| what | ratio |\n|-|-|\n| a\\|b | **1.20** |\n| <c> | 0.9 |\n", report.markdown(self.PARTS))

    def test_page(self):
        page = report.page(self.PARTS)
        self.assertIn("<title>A &amp; B</title>", page)
        self.assertIn("<h1>A &amp; B</h1>\n<p>1 &lt; 2</p>\n<table>\n<thead><tr><th>what</th><th>ratio</th></tr></thead>\n<tbody>\n"
                      "<tr><td>a|b</td><td><strong>1.20</strong></td></tr>\n<tr><td>&lt;c&gt;</td><td>0.9</td></tr>\n</tbody>\n</table>",
                      page)
        self.assertNotIn("<pre>", page)


if __name__ == "__main__":
    unittest.main()
