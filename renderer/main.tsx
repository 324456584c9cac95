/**
 * The window's page. What it shows comes from the host, by the contract; it keeps nothing of its own.
 *
 * data/       the line to the host, and what is known from it
 * i18n/       what is said, in each language
 * components/ parts of several screens
 * screens/    a folder or file per screen
 */
import './start.ts';
import '@fontsource-variable/inter/index.css';
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import 'virtual:theme.css';
import './styles/app.css';
import './styles/parts.css';
import './styles/screens.css';
import './styles/activity.css';
import './styles/settings.css';
import './styles/first.css';
import './styles/restore.css';
import './styles/lists.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createCache } from './data/host.tsx';
import { HostLink } from './data/link.ts';
import { linkPorts } from './data/open.ts';

const root = document.getElementById('root');
if (root) createRoot(root).render(<App link={new HostLink(linkPorts())} cache={createCache()} />);
