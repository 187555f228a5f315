import { useEffect, useRef, useState } from 'preact/hooks';
import type { AlarmRow } from '../../core/alarm.ts';
import { html, type View } from './html.ts';
import type { Store } from './store.ts';

const HOUR_S = 3_600;
/** For how long one can shelve here; the API takes any time up to `alarms.maxShelving`. */
const SHELVING: readonly (readonly [number, string])[] = [
  [HOUR_S, '1 hour'],
  [8 * HOUR_S, '8 hours'],
  [24 * HOUR_S, '24 hours'],
];

/** What else than acknowledging can be done with an alarm, for a reason that is kept. */
export function AlarmDialog({ store, alarm }: { store: Store; alarm: AlarmRow }): View {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [forSeconds, setForSeconds] = useState(SHELVING[0]![0]);
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => store.attend(undefined);
  const act = (run: () => void) => () => {
    run();
    close();
  };
  const { id, series, message, shelvedUntil } = alarm;
  const shelve =
    shelvedUntil === null
      ? html`<div class="dialog-row">
          <button type="button" class="act" disabled=${reason === ''} data-testid="alarm-shelve" onClick=${act(() => store.shelve(id, forSeconds, reason))}>
            Shelve
          </button>
          <select aria-label="For how long" onChange=${(event: Event) => setForSeconds(Number((event.target as HTMLSelectElement).value))}>
            ${SHELVING.map(([seconds, words]) => html`<option value=${seconds}>for ${words}</option>`)}
          </select>
          <span class="muted">told to nobody until then</span>
        </div>`
      : html`<div class="dialog-row">
          <button type="button" class="act" data-testid="alarm-unshelve" onClick=${act(() => store.unshelve(id))}>
            Unshelve
          </button>
          <span class="muted">tell of it again</span>
        </div>`;
  return html`<dialog ref=${dialog} class="dialog" aria-label=${`Alarm on ${series}`} data-testid="alarm-dialog" onClose=${close}>
    <h3>${series}</h3>
    <p>${message}</p>
    <label class="dialog-reason">
      Why
      <input type="text" maxlength="512" value=${reason} placeholder="kept for who comes next" onInput=${(event: Event) => setReason((event.target as HTMLInputElement).value)} />
    </label>
    ${shelve}
    <div class="dialog-row">
      <button type="button" class="act" disabled=${reason === ''} data-testid="alarm-dismiss" onClick=${act(() => store.dismiss(id, reason))}>
        This was fine
      </button>
      <span class="muted">it is over, and a detector that learns takes it for normal</span>
    </div>
    <div class="dialog-row dialog-end"><button type="button" class="act" onClick=${close}>Close</button></div>
  </dialog>`;
}
