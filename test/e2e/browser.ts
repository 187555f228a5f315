import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const LAUNCH_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A chromium with a profile of its own, which `close` removes. */
export interface TestBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Starts the chromium that `requireProgram('chromium')` found. */
export async function launchBrowser(program: string): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'headgate-page-'));
  const browser = await chromium.launch({ executablePath: program, args: LAUNCH_ARGS, env: { HOME: profile } });
  return {
    browser,
    async close() {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Gathers everything that must not happen on a page: errors, warnings, and requests that leave its origin. */
export function watchProblems(page: Page, url: string): string[] {
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  const { origin } = new URL(url);
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) problems.push(`left the origin: ${request.url()}`);
  });
  return problems;
}
