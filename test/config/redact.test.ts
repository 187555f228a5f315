// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configuration files refer to the environment so
import { expect, test } from 'vitest';
import { HIDDEN, redactedYaml } from '../../config/redact.ts';
import { configurationOf } from './load-text.ts';
import { exampleFiles, readNamedFile, textOf } from './shipped-files.ts';

test('no secret is left in a configuration that is shown', () => {
  const text = `# password: canary-comment
gateway: { name: a } # canary-comment
sources:
  # canary-comment
  - name: floor
    type: mqtt
    users:
      - { name: u, password: canary-1 }
      - name: v
        password: |
          canary-2
      - { name: w, password: &anchor "canary-3" }
      - { name: x, password: *anchor }
  - { name: b, type: mqtt, url: "mqtt://me:canary-4@host:1883", user: me, password: "\${PW:-canary-5}" }
  - { name: c, type: mqtt, url: "mqtt://canary-6@host", password: 123456789 }
sinks:
  - { name: i, type: influxdb, url: 'http://u:can%40ary-7@x', token: canary-8 }
  - { name: j, type: influxdb, url: http://x, token: [canary-9, { deep: canary-10 }] }
  - { name: k, type: webhook, url: https://hooks.example/canary-11, headers: { x-any: canary-12, Authorization: canary-13 } }
  - { url: "https://hooks.example?key=canary-14", type: webhook, secret: whsec_canary-15 }
  - name: l
    type: webhook
    url: \${URL:-https://hooks.example/canary-16}
    headers:
      X-Api-Key: canary-17
# canary-comment
`;
  const shown = redactedYaml(text);
  expect(shown).not.toMatch(/canary|can%40ary|123456789/);
  expect(shown).toContain(`mqtt://${HIDDEN}@host:1883`);
  expect(shown).toContain(`https://hooks.example/${HIDDEN}`);
  expect(shown).toContain('url: ${URL}');
});

test('references to the environment and paths of secret files stay, without defaults and values', () => {
  const shown = redactedYaml(
    'sinks: [{ token: "${TOKEN}" }, { token: ${OTHER:-canary} }, { password: { file: /run/x } }]',
  );
  expect(shown).toContain('${TOKEN}');
  expect(shown).toContain('${OTHER}');
  expect(shown).toContain('/run/x');
  expect(shown).not.toContain('canary');
});

test('the host of a webhook, and what has no secret in it, stays', () => {
  const shown = redactedYaml(
    'sinks: [{ type: webhook, url: https://a.example }, { type: influxdb, url: http://x/proxy }, { type: webhook, format: alertmanager, url: http://y/api/v2/alerts }]',
  );
  expect(shown).toContain('https://a.example');
  expect(shown).toContain('http://x/proxy');
  expect(shown).toContain('http://y/api/v2/alerts');
});

test('a file that cannot be read shows nothing', () => {
  expect(redactedYaml('password: canary\n  bad: [')).not.toContain('canary');
});

test.each(exampleFiles)('%s means the same once its secrets are hidden', (file) => {
  const options = {
    environment: new Proxy(
      {},
      { getOwnPropertyDescriptor: () => ({ value: 'x', configurable: true }), get: () => 'x' },
    ),
    readFile: readNamedFile,
  };
  const original = configurationOf(textOf(file), options);
  expect(configurationOf(redactedYaml(textOf(file)), options)).toEqual(original);
});
