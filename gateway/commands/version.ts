import packageJson from '../../package.json' with { type: 'json' };

/** The version of this gateway, as in `package.json`. */
export const version: string = packageJson.version;
