# The event file that TensorBoard's own writer (tensorboard 2.21.0) makes of what EventFileTest writes: python make.py
import pathlib

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

events = [
    Event(wall_time=1700000000.25, file_version="brain.Event:2"),
    Event(wall_time=1700000000.25, step=300, session_log=SessionLog(status=SessionLog.START)),
    Event(wall_time=1700000000.25, step=300, summary=Summary(value=[Summary.Value(tag="loss", simple_value=0.125),
                                                                    Summary.Value(tag="rate", simple_value=0.0)])),
    Event(wall_time=1700000000.25, step=301, summary=Summary(value=[Summary.Value(tag="loss", simple_value=float("nan")),
                                                                    Summary.Value(tag="gradient", simple_value=-1e-3)])),
]
with open(pathlib.Path(__file__).parent / "events.out", "wb") as out:
    writer = RecordWriter(out)
    for event in events:
        writer.write(event.SerializeToString())
