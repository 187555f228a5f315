import type { ComponentState } from '../../core/lifecycle.ts';
import { html, type View } from './html.ts';

/** The state of a component as a coloured dot and, for those who cannot tell colours apart, its word. */
export function State({ state, testid }: { state: ComponentState; testid?: string }): View {
  return html`<span class=${`state ${state}`} data-testid=${testid}><i aria-hidden="true"></i>${state}</span>`;
}
