"""How a story says what it sees, and what it expects."""
from virtual_machine import Failed

SHARP_MS = 60  # it sends each 20 ms; kept from it for longer, it measures itself


def expect(true, what):
    if not true:
        raise Failed(what)


def say(what):
    print(f"  {what}", flush=True)


def alive(traffic, what):
    """Ends the measurement; every connection must have lived."""
    report = traffic.report()
    kept = f"; the sender itself stood still for {report.blur:.0f} ms" if report.blur > SHARP_MS else ""
    say(f"{what}: {report}{kept}")
    expect(report.all_alive, f"{what}: connections were lost: {report.reasons}")
    return report


def moved(pair, traffic, what, act):
    """Acts on the primary under traffic; the other takes over and every connection lives. (primary, backup), now."""
    primary, backup = pair.formed()
    traffic.mark(what)
    act(primary)
    backup.wait_status(lambda status: status["role"] == "primary", 30, f"{backup.name} to take over: {what}")
    alive(traffic, what)
    return backup, primary
