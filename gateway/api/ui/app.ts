import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Alarms } from './alarms.ts';
import { every } from './browser-clock.ts';
import { ChartPanel } from './chart-panel.ts';
import { DeadLetters } from './dead-letters.ts';
import { Banner, Header } from './header.ts';
import { html, type View } from './html.ts';
import { Ledger } from './ledger.ts';
import { PathPanel } from './path-panel.ts';
import { SeriesList } from './series-list.ts';
import { Sinks, Sources } from './sources.ts';
import { Storage } from './storage.ts';
import { Store } from './store.ts';

/** The page. `version` goes up with each change of the store, so that everything is drawn anew from it. */
function App({ store }: { store: Store }): View {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    store.start(() => setVersion((before) => before + 1));
    // Ages and the live chart go on while nothing arrives.
    return every(1_000, store.changed);
  }, []);
  useEffect(() => {
    const name = store.status?.name ?? 'Headgate';
    document.title = store.alarms.length > 0 ? `(${store.alarms.length}) ${name}` : name;
  });
  const shared = { store, version };
  return html`<div class="page">
    <${Header} ...${shared} />
    <${Banner} ...${shared} />
    <main>
      <${Alarms} ...${shared} />
      <div class="watch"><${SeriesList} ...${shared} /><${ChartPanel} ...${shared} /></div>
      <${PathPanel} ...${shared} />
      <div class="plant"><${Sources} ...${shared} /><${Sinks} ...${shared} /><${Storage} ...${shared} /></div>
      <${Ledger} ...${shared} />
      <${DeadLetters} ...${shared} />
    </main>
  </div>`;
}

const host = document.getElementById('app');
if (host !== null) {
  host.replaceChildren();
  render(html`<${App} store=${new Store()} />`, host);
}
