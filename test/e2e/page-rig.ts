import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { Api } from '../../gateway/api/app.ts';
import { systemClock } from '../../gateway/base/system-clock.ts';
import type { FakeView } from '../gateway/api/fake-view.ts';
import { KeepingLogger } from '../gateway/api/start-api.ts';
import { requireProgram } from '../services/require-program.ts';
import { launchBrowser, type TestBrowser, watchProblems } from './browser.ts';
import { LivePlant } from './live-plant.ts';

/** The browser's program, where there is one. */
export const chromium = requireProgram('chromium');

const DESKTOP = { width: 1920, height: 1080 };

/** Polls until the matcher holds, with room for a busy machine. */
export const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000 });

/** A page in its browser, and everything in it that must not happen. */
interface OpenPage {
  readonly page: Page;
  readonly problems: readonly string[];
}

/** Pages of pretended gateways in one browser; what a test opens is closed after it. Call it inside a `describe`. */
export function pageRig() {
  let browser: TestBrowser;
  const closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    browser = await launchBrowser(chromium!);
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await browser.close();
  });

  /** An API over a view, on a free port. */
  async function serve(view: FakeView, port = 0): Promise<Api> {
    const parts = { clock: systemClock, logger: new KeepingLogger() };
    const api = new Api({ listen: { host: '127.0.0.1', port } }, view, parts);
    await api.start(new AbortController().signal);
    closing.push(() => api.stop(AbortSignal.timeout(1000)));
    return api;
  }

  /** The page in a fresh browser profile. */
  async function open(url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const context = await browser.browser.newContext({ viewport: DESKTOP, ...options });
    closing.push(() => context.close());
    const page = await context.newPage();
    const problems = watchProblems(page, url);
    await page.goto(url);
    return { page, problems };
  }

  /** Lets the plant run in step with the wall clock until the test ends. */
  function run(plant: LivePlant): void {
    const abort = new AbortController();
    const running = (async () => {
      while (!abort.signal.aborted) {
        plant.advance(Math.max(0, systemClock.now() - plant.time));
        plant.view.emit({ topic: 'status', data: plant.view.status() });
        await systemClock.sleep(250, abort.signal);
      }
    })();
    closing.push(() => {
      abort.abort();
      return running;
    });
  }

  /** The page of a running plant. */
  async function plantPage(options: BrowserContextOptions = {}, query = '') {
    const plant = new LivePlant();
    const api = await serve(plant.view);
    run(plant);
    return { plant, api, ...(await open(api.url + query, options)) };
  }

  return { serve, open, run, plantPage };
}
