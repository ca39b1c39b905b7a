/** The time limit for workers that say nothing. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Silence } from "../../demo/page/silence.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a silence", () => {
  const begin = () => {
    const heard = vi.fn();
    return { silence: new Silence(20, heard), heard };
  };

  it("is told once, when the limit has passed since the last message", () => {
    const { silence, heard } = begin();
    silence.expect();
    vi.advanceTimersByTime(19_000);
    silence.expect();
    vi.advanceTimersByTime(19_000);
    expect(heard).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(heard).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(100_000);
    expect(heard).toHaveBeenCalledOnce();
  });

  it("is not told where nothing is expected, before or any longer", () => {
    const { silence, heard } = begin();
    vi.advanceTimersByTime(100_000);
    silence.expect();
    silence.end();
    vi.advanceTimersByTime(100_000);
    expect(heard).not.toHaveBeenCalled();
  });
});
