/**
 * Judges mutants inside the process that has loaded a file of tests. After each test, the same test runs again with the mutants
 * that it has passed through and that still live: with groups of them, since most change nothing that the test sees, and a
 * group on which it fails is halved until one mutant is left. So no mutant is found but by a test that fails on it alone and
 * passes without it. Where a test still fails afterwards, a new process runs it twice without a mutant, then with that one alone.
 * Stryker's own runner for Vitest starts a process and loads
 * the tests anew for each mutant, which took 10 to 20 minutes for one source file.
 */
import { appendFileSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunnerTestSuite as Suite, type RunnerTestCase as Test, TestRunner } from "vitest";
import { LOG, NOW } from "./places.ts";

/** The object through which instrumented sources ask which mutant is on, and tell which ones they have passed. */
interface Switches {
  /** Tells whether a mutant is on, and throws in a loop that has no end. */
  isOn?: ((mutant: string) => boolean) | undefined;
  currentTestId?: string | undefined;
  readonly mutantCoverage?: {
    readonly static: Record<string, number>;
    readonly perTest: Record<string, Record<string, number>>;
  };
}
const world = globalThis as { __stryker__?: Switches };
world.__stryker__ ??= {};
const switches = world.__stryker__;

/** A loop is ended after this many times the passes by a mutant that is on, or by all, that the test makes without it. */
const HITS = 100;
const PASSES = 10;
/** A test is given up after this many times what it takes without a mutant, and some seconds. */
const TIMES = 20;
const SECONDS = Number(process.env.MUTATION_SECONDS);

/** The most mutants that run together: in the last round one, since two of a group may hide or undo each other. */
const LARGEST = Number(process.env.MUTATION_LARGEST);

/** The same mutants, neighbours far from each other, since those hide each other. */
function spread(mutants: readonly string[]): string[] {
  const rank = (mutant: string) => (Number(mutant) * 7919) % 10_007;
  return [...mutants].sort((a, b) => rank(a) - rank(b));
}

/**
 * The key of a test: its file's path, its name under those of its suites, and Vitest's id, which tells its place in the file. Tests
 * of the same name are several: by name alone, the second was taken for one that had judged already.
 */
function keyOf(test: Test): string {
  const names = [test.name];
  for (let suite: Suite | undefined = test.suite; suite; suite = suite.suite) names.unshift(suite.name);
  return `${test.file.name}#${names.join(" ").trim()} ${test.id}`;
}

/** The processor's time, since others may keep the machine busy; like the clocks, taken before tests replace globals. */
const { cpuUsage, kill, pid } = process;
const clock = performance.now.bind(performance);
const dateNow = Date.now;
const cpu = () => {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
};
/** Milliseconds of the processor's beyond which a test leaves mutants to a later round, when the quick ones have had their turn. */
const LIGHT = Number(process.env.MUTATION_LIGHT);

export default class extends TestRunner {
  /** Mutants that a test has failed on, by any process of this run. */
  readonly #dead = new Set<string>();
  /** Mutants of a group in which a process hung. */
  readonly #alone = new Set<string>();
  /** Mutants after which a test failed without any, by the test: whether it was they is for a process to say that is new. */
  readonly #suspects = new Map<string, Set<string>>();
  /** Tests that an earlier process of this run is through with. */
  readonly #judged = new Set<string>();
  /** Functions that hooks before a test gave, to be called after it. */
  readonly #undo: (() => unknown)[] = [];
  readonly #found = openSync(LOG, "r");
  #read = 0;
  readonly #now = openSync(`${NOW}${pid}`, "w");

  #log(entry: object): void {
    appendFileSync(LOG, `${JSON.stringify(entry)}\n`);
  }
  /** Notes what this process is at, for the one that watches over it. */
  #tell(text: string): void {
    ftruncateSync(this.#now);
    writeSync(this.#now, text, 0);
  }
  /** Takes over what this and other processes have found since. */
  #catchUp(): void {
    const news = Buffer.alloc(fstatSync(this.#found).size - this.#read);
    this.#read += readSync(this.#found, news, 0, news.length, this.#read);
    for (const line of news.toString().split("\n").filter(Boolean)) {
      const { mutant, status, judged, alone, suspect, cleared, by } = JSON.parse(line);
      for (const id of alone ?? []) this.#alone.add(id);
      if (suspect) this.#suspects.set(by, (this.#suspects.get(by) ?? new Set()).add(suspect));
      if (cleared) this.#suspects.get(by)?.delete(cleared);
      if (judged) this.#judged.add(judged);
      else if (status) this.#dead.add(mutant);
    }
  }

  /** Runs the test once more, with its hooks, and tells whether it passes. */
  async #passes(test: Test, patienceMs: number): Promise<boolean | "late"> {
    // A suite that stands in no other doesn't name the file as the suite about it.
    const suites: Suite[] = [];
    for (let suite = test.suite; suite; suite = suite.suite) suites.unshift(suite);
    if (suites[0] !== test.file) suites.unshift(test.file);
    const hooks = (name: "beforeEach" | "afterEach") =>
      suites.flatMap((suite) => TestRunner.getSuiteHooks(suite)[name]) as ((
        context: unknown,
        suite: unknown,
      ) => unknown)[];
    const whole = async () => {
      for (const undo of this.#undo.splice(0)) await undo();
      for (const hook of hooks("afterEach")) await hook(test.context, test.suite);
      this.onBeforeTryTask(test);
      for (const hook of hooks("beforeEach")) {
        const undo = await hook(test.context, test.suite);
        if (typeof undo === "function") this.#undo.push(undo as () => unknown);
      }
      await TestRunner.getTestFn(test)();
      this.onAfterTryTask(test);
      return true;
    };
    const late = new AbortController();
    try {
      return await Promise.race([
        whole(),
        sleep(patienceMs, "late" as const, { signal: late.signal, ref: false }),
      ]);
    } catch {
      return false;
    } finally {
      late.abort();
    }
  }

  /** Runs the test with a group of mutants, and tells which of them it has reached. */
  async #under(
    group: readonly string[],
    test: Test,
    patienceMs: number,
    passed: Readonly<Record<string, number>>,
  ) {
    // A test that gives way to others is late before that; one that doesn't hangs.
    this.#tell(JSON.stringify({ group, key: keyOf(test), until: dateNow() + 2 * patienceMs }));
    const on = new Set(group);
    const reached = new Set<string>();
    let hits = HITS * group.reduce((sum, mutant) => sum + passed[mutant]!, 0) + 1000;
    let passes = PASSES * Object.values(passed).reduce((sum, count) => sum + count, 0) + 10_000;
    switches.isOn = (mutant) => {
      const isOn = on.has(mutant);
      if (isOn) reached.add(mutant);
      if ((isOn && hits-- <= 0) || passes-- <= 0) throw new Error("A mutant has made a loop endless");
      return isOn;
    };
    const outcome = await this.#passes(test, patienceMs);
    switches.isOn = undefined;
    return {
      reached,
      outcome:
        outcome === "late" ? outcome : hits < 0 || passes < 0 ? "Endless" : outcome ? "Survived" : "Killed",
    };
  }

  async runTask(test: Test): Promise<void> {
    const key = keyOf(test);
    this.#catchUp();
    const round = LARGEST === 1 ? `${key} alone` : key;
    if (this.#judged.has(round)) return;
    switches.currentTestId = key;
    const start = clock();
    const cpuStart = cpu();
    try {
      await TestRunner.getTestFn(test)();
    } catch (error) {
      this.#log({ failing: key });
      throw error;
    } finally {
      switches.currentTestId = undefined;
    }
    const cost = cpu() - cpuStart;
    if (cost > LIGHT) return;
    const patience = (clock() - start) * TIMES + SECONDS * 1000;
    const passed = switches.mutantCoverage?.perTest[key] ?? {};
    const isThrough = await this.#judge(test, key, patience, passed);
    this.#tell("");
    if (isThrough) this.#log({ judged: round });
    else kill(pid, "SIGKILL");
    // Else Vitest holds the test to the assertions of its last mutant.
    this.onBeforeTryTask(test);
  }

  /**
   * Has a test judge the mutants that it passes through, and tells whether it's through: if not, a mutant has left something behind
   * that fails the test, and a new process goes on with it.
   */
  async #judge(
    test: Test,
    key: string,
    patience: number,
    passed: Readonly<Record<string, number>>,
  ): Promise<boolean> {
    const isSound = async (group: readonly string[]) => {
      this.#tell(JSON.stringify({ group, key, until: dateNow() + 2 * patience, isCheck: true }));
      return (await this.#passes(test, patience)) === true;
    };
    const open = spread(Object.keys(passed).filter((mutant) => !this.#dead.has(mutant)));
    const suspects = this.#suspects.get(key) ?? new Set();
    for (const mutant of open.filter((mutant) => suspects.has(mutant))) {
      if (!(await isSound([mutant]))) {
        this.#log({ unrepeatable: key });
        this.#log({ judged: LARGEST === 1 ? `${key} alone` : key });
        return false;
      }
      const { outcome } = await this.#under([mutant], test, patience, passed);
      this.#log({ ran: [mutant] });
      if (outcome === "Survived") this.#log({ cleared: mutant, by: key });
      else this.#log({ mutant, status: outcome === "Killed" ? outcome : "TimedOut", by: key });
      if (outcome === "late" || !(await isSound([mutant]))) return false;
    }
    const isAlone = (mutant: string) => this.#alone.has(mutant);
    const others = open.filter((mutant) => !suspects.has(mutant));
    const queue = [...others.filter(isAlone), ...others.filter((mutant) => !isAlone(mutant))];
    for (let size = 1; queue.length > 0; ) {
      const group = queue.splice(0, isAlone(queue[0]!) ? 1 : size);
      const { outcome, reached } = await this.#under(group, test, patience, passed);
      const [mutant] = group;
      if (outcome === "Survived") {
        const hidden = group.filter((mutant) => !reached.has(mutant));
        // Mutants of which none is reached have their code run at a process's first call alone, as code that compiles does.
        if (reached.size > 0) queue.push(...hidden);
        this.#log({ ran: [...reached], by: key, atLoad: reached.size > 0 ? [] : hidden });
        size = Math.min(2 * size, LARGEST);
      } else if (group.length > 1) {
        size = group.length >> 1;
        queue.unshift(...group);
        if (outcome !== "late" && (await isSound(group))) continue;
        this.#log({ alone: group });
        return false;
      } else if (outcome === "late" || outcome === "Endless") {
        this.#log({ ran: group, mutant, status: "TimedOut", by: key });
        if (outcome === "late" || !(await isSound(group))) return false;
      } else {
        const isKilled = await isSound(group);
        this.#log(isKilled ? { ran: group, mutant, status: outcome, by: key } : { suspect: mutant, by: key });
        if (!isKilled) return false;
      }
    }
    return true;
  }

  override onAfterRunFiles(files: readonly { readonly name: string }[] = []): void {
    super.onAfterRunFiles();
    this.#log({ atLoad: Object.keys(switches.mutantCoverage?.static ?? {}) });
    for (const { name } of files) this.#log({ done: `${name} ${LIGHT} ${LARGEST}` });
  }
}
