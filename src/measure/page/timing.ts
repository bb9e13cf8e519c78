export interface Session {
  readonly run: () => Promise<unknown>;
  readonly close: () => unknown;
}

export interface Job {
  readonly open: () => Promise<Session>;
}

/** Maximum number of runs kept of a session: more would enlarge the message without better figures. */
const MOST_RUNS = 200;
const FEWEST_RUNS = 3;
/** Number of sessions that the time is divided into. */
const SESSIONS = 8;

/**
 * Milliseconds of a run of each job, by session. Jobs take turns, in another order each time, and each turn loads the model again; a job that fails
 * is left out with its error. With a coarse clock, several runs are timed together.
 */
export async function timeJobs(
  jobs: readonly Job[],
  seconds: number,
  onProgress: (share: number, job: number) => void,
  now: () => number = () => performance.now(),
): Promise<{ sessions: number[][]; failure?: string }[]> {
  const tick = tickOf(now);
  const start = now();
  const results: { sessions: number[][]; failure?: string }[] = jobs.map(() => ({ sessions: [] }));
  const turnMs = (1000 * seconds) / SESSIONS / Math.max(1, jobs.length);
  for (let number = 0; number < SESSIONS; number++) {
    for (let i = 0; i < jobs.length; i++) {
      const place = (i + number) % jobs.length;
      const result = results[place]!;
      // Every job gets one session, however long it takes.
      if (result.failure !== undefined || (number > 0 && now() - start > 1000 * seconds)) continue;
      onProgress((number * jobs.length + i) / (SESSIONS * jobs.length), place);
      try {
        result.sessions.push(await timeSession(jobs[place]!, turnMs, tick, now));
      } catch (error) {
        result.failure = error instanceof Error ? error.message : String(error);
      }
    }
  }
  return results;
}

async function timeSession(job: Job, turnMs: number, tick: number, now: () => number): Promise<number[]> {
  const session = await job.open();
  try {
    await session.run();
    const together = await runsTogether(session, tick, now);
    const times: number[] = [];
    const end = now() + turnMs;
    while (times.length < FEWEST_RUNS || (times.length < MOST_RUNS && now() < end)) {
      const start = now();
      for (let i = 0; i < together; i++) await session.run();
      times.push((now() - start) / together);
    }
    return times;
  } finally {
    session.close();
  }
}

/** Number of runs per clock reading, so that they span twenty ticks: an error of one tick is 5 % of a figure, and far less of the median. */
async function runsTogether(session: Session, tick: number, now: () => number): Promise<number> {
  for (let together = 1; ; together *= 2) {
    const start = now();
    for (let i = 0; i < together; i++) await session.run();
    if (now() - start >= 20 * tick) return together;
  }
}

/** Smallest step of the clock: in a page that is not isolated, browsers make it as coarse as a millisecond. */
function tickOf(now: () => number): number {
  let smallest = Infinity;
  for (let i = 0; i < 5; i++) {
    const start = now();
    let next = now();
    while (next === start) next = now();
    smallest = Math.min(smallest, next - start);
  }
  return smallest;
}
