import htm from 'htm';
import { h, type VNode } from 'preact';

/** What a component gives: one node. */
export type View = VNode | null;

type Template = (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

// The package's types are CommonJS's, the file that a browser gets is a module whose default is the function itself.
const { bind } = htm as unknown as { bind(this: unknown, create: typeof h): Template };

/** JSX as a tagged template, so that the page needs no build step. Templates here have exactly one root. */
export const html: Template = bind.call(htm, h);
