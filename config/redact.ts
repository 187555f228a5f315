import { isMap, isPair, isScalar, parseDocument, type Scalar, visit } from 'yaml';
import { shield, unshield } from './environment.ts';

/** What stands in place of a secret. */
export const HIDDEN = '********';

const REFERENCE = /^\$\ufdd0([A-Za-z_][A-Za-z0-9_]*)(?::-.*)?\ufdd1$/s;

const SECRET_KEY = /passw|token|secret|credential|headers|authorization|api-?key/i;

/**
 * A configuration file as everybody may see it: the values of secrets and the user and password of addresses are hidden, and
 * comments are left out, because a secret that was commented out is still a secret. References such as `${NAME}` stay as they
 * are, without their defaults; the environment's values never appear. `{ file: PATH }` stays, too: a path is no secret.
 */
export function redactedYaml(text: string): string {
  const document = parseDocument(shield(text), { prettyErrors: false });
  if (document.errors.length > 0) return '# hidden: the file cannot be read as YAML\n';
  document.commentBefore = null;
  document.comment = null;
  visit(document, {
    Node: (_, node) => {
      node.comment = null;
      node.commentBefore = null;
    },
    Scalar: (key, node, parents) => {
      node.comment = null;
      node.commentBefore = null;
      if (key === 'key' || typeof node.value === 'object') return;
      const pair = parents.findLast(isPair);
      const keys = parents.filter(isPair).map(({ key: owner }) => (isScalar(owner) ? String(owner.value) : ''));
      if (keys.some((name) => SECRET_KEY.test(name))) {
        if (isScalar(pair?.key) && pair.key.value === 'file') return;
        hide(node);
      } else if (typeof node.value === 'string') {
        node.value = withoutUserInfo(node.value);
        if (keys.at(-1) === 'url' && hasSecretPath(parents)) hidePath(node);
      }
    },
  });
  return unshield(document.toString({ lineWidth: 0 }));
}

/** That of Alertmanager is the same everywhere. */
function hasSecretPath(parents: readonly unknown[]): boolean {
  const sink = parents.findLast(isMap);
  return sink?.get('type') === 'webhook' && sink.get('format') !== 'alertmanager';
}

/** What follows the host in the address of a webhook is mostly all that keeps strangers from using it. */
function hidePath(node: Scalar): void {
  const origin = /^(\w+:\/\/[^/?#]*)[/?#]./s.exec(String(node.value))?.[1];
  if (origin !== undefined) node.value = `${origin}/${HIDDEN}`;
  else if (REFERENCE.test(String(node.value))) hide(node);
}

function hide(node: Scalar): void {
  const reference = REFERENCE.exec(String(node.value));
  node.value = reference === null ? HIDDEN : `$\ufdd0${reference[1]}\ufdd1`;
  node.type = 'PLAIN';
}

/** Also inside longer texts, and for addresses that are not quite right. */
function withoutUserInfo(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s]*@/g, `$1${HIDDEN}@`);
}
