import { formatMoment } from './format.ts';
import { html, type View } from './html.ts';
import type { DeadLetter, Store } from './store.ts';

const SHOWN_CHARACTERS = 160;

/** What could not be understood or was refused, and why. */
export function DeadLetters({ store }: { store: Store; version: number }): View {
  const { letters } = store;
  return html`<section class="panel letters-panel" aria-labelledby="letters-title">
    <div class="panel-head">
      <h2 id="letters-title">Dead letters</h2>
      <span class="muted">${letters.length === 0 ? '' : `newest ${letters.length}`}</span>
    </div>
    ${
      letters.length === 0
        ? html`<p class="empty">Nothing was set aside. Data that cannot be understood is kept here with its reason.</p>`
        : html`<ul class="letters" tabindex="0" aria-label="Dead letters">
            ${letters.map((letter, index) => html`<${Letter} key=${`${letter.time}-${index}`} store=${store} letter=${letter} />`)}
          </ul>`
    }
  </section>`;
}

function Letter({ store, letter }: { store: Store; letter: DeadLetter }): View {
  const { time, origin, subject, reason, text, bytes, times } = letter;
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return html`<li class="letter" data-testid="dead-letter">
    <p class="letter-head"><span class="muted">${formatMoment(time, store.now())}</span> <b>${origin}</b> <span class="subject">${subject}</span></p>
    <p class="reason">${reason}</p>
    <p class="payload"><code>${shown === '' ? '(empty)' : shown}</code> <span class="muted">${bytes} B${times > 1 ? `, and ${times - 1} more like it` : ''}</span></p>
  </li>`;
}
