import re
import socket


def test_a_port_that_is_taken_is_2_with_a_free_one(lenetctl, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = lenetctl("ui", "--port", port)
    assert result.code == 2
    told = re.fullmatch(rf"error: --port {port}: .*; --port (\d+) is free\n", result.err)
    assert told
    socket.create_server(("127.0.0.1", int(told[1]))).close()
    assert list(tmp_path.iterdir()) == []
