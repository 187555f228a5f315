import { expect, test } from 'vitest';
import { filesOfTheTree, read } from './house/tree.ts';

const pages = filesOfTheTree().filter((file) => /^docs\/decisions\/\d{4}-.*\.md$/.test(file));

test('every decision says the question, the choice, what was rejected and what follows, in this order', () => {
  const wrong = pages.flatMap((page) => {
    const headings = [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    const form = headings.filter((heading) => heading !== 'Why').join(' · ');
    return form === 'The question · The choice · Rejected · What follows' ? [] : [`${page}: ${form}`];
  });
  expect(pages.length).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
});

test('every decision is listed, under the number and the title that it has', () => {
  const list = read('docs/decisions/README.md');
  const missing = pages.filter((page) => {
    const name = page.slice('docs/decisions/'.length);
    const number = name.slice(0, 4);
    const title = /^# (\d{4}) (.*)\n/.exec(read(page));
    return title?.[1] !== number || !new RegExp(`\\[${number}\\]\\(${name}\\) +\\| ${title[2]} +\\|`).test(list);
  });
  expect(missing).toEqual([]);
});
