import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the page as it leaves. */
export interface PageFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ts': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

const UI_FOLDER = new URL('./ui/', import.meta.url);

/** What index.html's import map names; each is one file of an installed package, whole and as it was published. */
const VENDORED: Readonly<Record<string, string>> = {
  'preact.mjs': import.meta.resolve('preact'),
  'hooks.mjs': import.meta.resolve('preact/hooks'),
  'htm.mjs': import.meta.resolve('htm'),
  'uplot.js': new URL('./uPlot.esm.js', import.meta.resolve('uplot')).href,
  'uplot.css': new URL('./uPlot.min.css', import.meta.resolve('uplot')).href,
};

/**
 * The files of the page, read and stripped of types when they are first asked for and kept from then on. Only names that were found in the
 * folder, or are listed above, exist: a path from outside never reaches the file system.
 */
export class PageFiles {
  readonly #files = new Map<string, Promise<PageFile>>();
  #names: Promise<ReadonlySet<string>> | undefined;

  /** A file of `ui/` by its bare name; undefined when there is none. */
  async own(name: string): Promise<PageFile | undefined> {
    this.#names ??= readdir(UI_FOLDER).then((names) => new Set(names.filter((one) => extname(one) in TYPES)));
    return (await this.#names).has(name) ? this.#once(`ui/${name}`, new URL(name, UI_FOLDER)) : undefined;
  }

  /** A vendored file by its short name; undefined when there is none. */
  async vendored(name: string): Promise<PageFile | undefined> {
    const href = Object.hasOwn(VENDORED, name) ? VENDORED[name] : undefined;
    return href === undefined ? undefined : this.#once(`vendor/${name}`, new URL(href));
  }

  /** CSP source of the inline import map in index.html: browsers take import maps only inline. */
  async importMapHash(): Promise<string> {
    const html = (await this.own('index.html'))?.body.toString() ?? '';
    const map = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    return `'sha256-${createHash('sha256').update(map).digest('base64')}'`;
  }

  #once(key: string, url: URL): Promise<PageFile> {
    let file = this.#files.get(key);
    if (file === undefined) {
      file = load(url);
      this.#files.set(key, file);
      // A failed read is told to whoever asked, and tried again by the next one.
      file.catch(() => this.#files.delete(key));
    }
    return file;
  }
}

async function load(url: URL): Promise<PageFile> {
  const raw = await readFile(fileURLToPath(url));
  const extension = extname(url.pathname);
  // Stripping keeps lines and columns, so the browser's messages point into the source.
  const body = extension === '.ts' ? Buffer.from(stripTypeScriptTypes(raw.toString())) : raw;
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { body, type: TYPES[extension] ?? 'application/octet-stream', etag };
}
