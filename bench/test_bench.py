"""Tests of the benchmarks' arithmetic and reports: no engine, and nothing but Python itself. BenchTest starts them in every build."""
import json
import sys
import tempfile
import types
import unittest
from unittest import mock

import compare
import operators
import report
import training

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


def refused(script, *words):
    """What a script says of such options."""
    with mock.patch.object(sys, "argv", ["it", "--work", "w", *words]), mock.patch.object(sys, "stderr") as err:
        try:
            script.parse()
        except SystemExit:
            return "".join(call.args[0] for call in err.write.call_args_list)
    return ""


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

    def test_a_model_is_asked_for_what_it_has(self):
        arguments = types.SimpleNamespace(stages="unet,vae,text", pairs=1, threads=1)
        with mock.patch.object(compare, "engines", lambda *_: [engine("sfumato", 0.5)]), mock.patch.object(sys, "stderr"), \
                tempfile.TemporaryDirectory() as folder:
            self.assertEqual(["unet"], list(compare.measure(arguments, "models/if", "f32", "none", folder)["seconds"]))

    def test_loading_is_what_the_engine_says(self):
        result, parts = measured("unet", engine("sfumato", 0.5), engine("channels_last", 1.0))
        self.assertEqual({"f32": {"sfumato": 0.1, "channels_last": 0.1}}, compare.ratios({("sd15", "f32"): result}, "sd15")["load_s"])
        self.assertIn("of it loading, s", report.markdown(parts))

    def test_without_sfumato_there_is_nothing_to_compare(self):
        with self.assertRaisesRegex(SystemExit, "^bench: Sfumato itself does not run: no such model$"):
            measured("unet", broken("sfumato"), engine("openvino", 1.0))

    def test_options(self):
        self.assertIn("argument --stages: 'unte' is none of unet, vae, text", refused(compare, "--stages", "text,unte"))
        self.assertIn("argument --pairs: must be a whole number of at least 1, not '0'", refused(compare, "--pairs", "0"))


class Operators(unittest.TestCase):
    def test_a_slow_one_is_marked(self):
        fast = operators.result("1x1 convolution", "conv 2 320 64 320 1 1", "f32", [1e-3, 2e-3, 1e-3], [2e-3, 2e-3, 1e-3])
        slow = operators.result("linear, few rows", "linear 1 1024 4096", "f32", [1.2e-3, 1.2e-3, 2e-3], [1e-3, 1e-3, 1e-3])
        self.assertEqual((1.0, 1.2, False, True), (fast["ratio"], slow["ratio"], fast["slow"], slow["slow"]))
        self.assertEqual(1677.7, fast["sfumato_gflops"])
        written = report.markdown(operators.report([fast, slow], "here"))
        self.assertIn("1 of 2 ratios are over 1.15, in bold.", written)
        self.assertIn("| 1x1 convolution | 2 x 320 to 320 channels, 64x64 | 1.000 | 2.000 | 1.00 | 0.75 to 1.00 | 1678, 839 |", written)
        self.assertIn("| linear, few rows | 1 row, 1024 to 4096 | 1.200 | 1.000 | **1.20** | 1.20 to 1.60 | 7, 8 |", written)

    def test_every_operator_has_sizes_in_words(self):
        all_of_them = operators.chosen("")
        self.assertEqual(len(all_of_them), len({(group, operators.words(line)) for group, line in all_of_them}))
        self.assertEqual("2 x 8 heads of 40, 4096 queries, 77 keys", operators.words("attention 2 8 4096 77 40"))
        self.assertEqual(["linear 2 320 1280"], [line for _, line in operators.chosen("linear 2 ")])

    def test_outputs_that_differ_end_it(self):
        class One:
            def __init__(self, mean):
                self.mean = mean

            def make(self, line):
                return 1.0, self.mean

            def run(self, times):
                return 1.0
        self.assertEqual([[1.0] * 3] * 2, operators.measure("layernorm 6 32", "f32", [One(1), One(1.0005)], 3))
        with self.assertRaisesRegex(SystemExit, "layernorm 6 32 in f32: the mean of .output. is 1 in Sfumato and 1.002 in PyTorch"):
            operators.measure("layernorm 6 32", "f32", [One(1), One(1.002)], 3)

    def test_options(self):
        self.assertIn("--only: no operator has 'fold' in its name", refused(operators, "--only", "fold"))
        self.assertIn("--clock cpu is the time of one thread", refused(operators, "--clock", "cpu", "--threads", "2"))


class Training(unittest.TestCase):
    class One:
        def __init__(self, losses, *seconds):
            self.losses, self.seconds = losses, list(seconds)

        def steps(self, count):
            return (1.0, self.losses) if count == len(training.CLOSE) else (self.seconds.pop(0), [])

    def measured(self, ours, theirs):
        with mock.patch.object(sys, "stderr"):
            return training.measure([ours, theirs], 3, 5)

    def test_a_ratio_has_quartiles(self):
        numbers = training.result(16, *self.measured(self.One([1.0, 0.5, 0.5], 1, 2, 3), self.One([1.0, 0.5, 0.5002], 2, 2, 4)))
        self.assertEqual((2, 2, 0.75, [0.625, 0.875], {"sfumato": 8.0, "pytorch": 8.0}), tuple(json.loads(json.dumps(numbers))[k] for k in (
            "sfumato_s", "pytorch_s", "ratio", "ratio_quartiles", "pictures_a_second")))
        written = report.markdown(training.report(numbers, "here"))
        self.assertIn("| Sfumato | 1.500 | 2.000 | 2.500 | 8.0 |", written)
        self.assertIn("A step takes 0.75 of PyTorch's time (0.62 to 0.88). The losses of the first 3 steps differ by 4.0e-04", written)

    def test_losses_that_differ_end_it(self):
        with self.assertRaisesRegex(SystemExit, "are .1.0, 0.5, 0.5. in Sfumato and .1.0, 0.5, 0.6. in PyTorch"):
            self.measured(self.One([1.0, 0.5, 0.5]), self.One([1.0, 0.5, 0.6]))
        with self.assertRaisesRegex(SystemExit, "the losses of the first steps"):
            self.measured(self.One([float("nan")]), self.One([1.0]))
        with self.assertRaisesRegex(SystemExit, "the losses of the first steps"):
            self.measured(self.One([1.0001, 0.5, 0.5]), self.One([1.0, 0.5, 0.5]))

    def test_options(self):
        self.assertIn("argument --rounds: must be a whole number of at least 1, not '0'", refused(training, "--rounds", "0"))


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
