/** All of the window: providers around the shell, and which screen an address shows. */
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import type { QueryClient } from '@tanstack/react-query';
import { type ReactNode, StrictMode } from 'react';
import { Route, Switch } from 'wouter';
import { HostProvider, useSettings } from './data/host.tsx';
import type { HostLink } from './data/link.ts';
import { SpeechProvider } from './i18n/speech.tsx';
import { ActivityScreen } from './screens/activity.tsx';
import { AddDestinationScreen } from './screens/add-destination.tsx';
import { DestinationsScreen } from './screens/destinations.tsx';
import { DisksScreen } from './screens/disks.tsx';
import { MissingScreen } from './screens/empty.tsx';
import { HomeScreen } from './screens/home.tsx';
import { EditPlanScreen, NewPlanScreen } from './screens/plan-wizard.tsx';
import { PlansScreen } from './screens/plans.tsx';
import { RecoveryScreen } from './screens/recovery.tsx';
import { RestoreScreen } from './screens/restore/restore-screen.tsx';
import { RunScreen } from './screens/run.tsx';
import { SettingsScreen } from './screens/settings.tsx';
import { WelcomeScreen } from './screens/welcome/welcome.tsx';
import { Shell } from './shell.tsx';
import { theme } from './theme.ts';

export function App({ link, cache }: { readonly link: HostLink; readonly cache: QueryClient }) {
  return (
    <StrictMode>
      <HostProvider link={link} cache={cache}>
        <SpeechProvider>
          <Appearance>
            <Notifications position="bottom-right" />
            <Shell>
              <Screens />
            </Shell>
          </Appearance>
        </SpeechProvider>
      </HostProvider>
    </StrictMode>
  );
}

/** Mantine, kept from writing styles into the page: its variables are in theme.css, and the shell needs no others. */
function Appearance({ children }: { readonly children: ReactNode }) {
  const { data: settings } = useSettings();
  const chosen = settings?.appearance ?? 'system';
  const forced = chosen === 'system' ? {} : ({ forceColorScheme: chosen } as const);
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
      {...forced}
    >
      {children}
    </MantineProvider>
  );
}

function Screens() {
  return (
    <Switch>
      <Route path="/" component={HomeScreen} />
      <Route path="/welcome" component={WelcomeScreen} />
      <Route path="/plans" component={PlansScreen} />
      <Route path="/plans/new" component={NewPlanScreen} />
      <Route path="/plans/:id">{({ id }) => <EditPlanScreen key={id} id={id} />}</Route>
      <Route path="/destinations" component={DestinationsScreen} />
      <Route path="/destinations/new" component={AddDestinationScreen} />
      <Route path="/activity" component={ActivityScreen} />
      <Route path="/activity/:id">{({ id }) => <RunScreen key={id} id={id} />}</Route>
      <Route path="/restore" component={RestoreScreen} />
      <Route path="/disks" component={DisksScreen} />
      <Route path="/recovery" component={RecoveryScreen} />
      <Route path="/settings" component={SettingsScreen} />
      <Route component={MissingScreen} />
    </Switch>
  );
}
