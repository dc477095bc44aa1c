"""Soft actor-critic in PyTorch, as CleanRL's sac_continuous_action.py writes it: what PEO's is timed beside.

    scripts/with-packages gymnasium Benchmarks/cleanrl_sac.py [--steps 2000] [--threads 2]

One Gymnasium environment in a SyncVectorEnv, networks of 256 x 256, batches of 256, one update per step, the policy
twice every second step, automatic temperature. Stable-Baselines3's replay buffer, which CleanRL imports, is written out.
Prints environment steps per second, updates and all, as JSON.
"""

import argparse
import json
import time

import gymnasium as gym
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class ReplayBuffer:
    """stable_baselines3.common.buffers.ReplayBuffer, for one environment."""

    def __init__(self, size, observation_space, action_space):
        self.size, self.pos, self.full = size, 0, False
        self.observations = np.zeros((size, 1, *observation_space.shape), dtype=np.float32)
        self.next_observations = np.zeros((size, 1, *observation_space.shape), dtype=np.float32)
        self.actions = np.zeros((size, 1, *action_space.shape), dtype=np.float32)
        self.rewards = np.zeros((size, 1), dtype=np.float32)
        self.dones = np.zeros((size, 1), dtype=np.float32)

    def add(self, obs, next_obs, action, reward, done):
        self.observations[self.pos] = np.array(obs)
        self.next_observations[self.pos] = np.array(next_obs)
        self.actions[self.pos] = np.array(action)
        self.rewards[self.pos] = np.array(reward)
        self.dones[self.pos] = np.array(done)
        self.pos += 1
        if self.pos == self.size:
            self.full, self.pos = True, 0

    def sample(self, batch_size):
        upper = self.size if self.full else self.pos
        rows = np.random.randint(0, upper, size=batch_size)
        columns = np.random.randint(0, high=1, size=batch_size)
        data = (
            self.observations[rows, columns, :], self.actions[rows, columns, :],
            self.next_observations[rows, columns, :], self.dones[rows, columns].reshape(-1, 1),
            self.rewards[rows, columns].reshape(-1, 1),
        )
        return tuple(map(torch.tensor, data))


class SoftQNetwork(nn.Module):
    def __init__(self, env):
        super().__init__()
        self.fc1 = nn.Linear(
            np.array(env.single_observation_space.shape).prod() + np.prod(env.single_action_space.shape), 256)
        self.fc2 = nn.Linear(256, 256)
        self.fc3 = nn.Linear(256, 1)

    def forward(self, x, a):
        x = torch.cat([x, a], 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


LOG_STD_MAX = 2
LOG_STD_MIN = -5


class Actor(nn.Module):
    def __init__(self, env):
        super().__init__()
        self.fc1 = nn.Linear(np.array(env.single_observation_space.shape).prod(), 256)
        self.fc2 = nn.Linear(256, 256)
        self.fc_mean = nn.Linear(256, np.prod(env.single_action_space.shape))
        self.fc_logstd = nn.Linear(256, np.prod(env.single_action_space.shape))
        space = env.single_action_space
        self.register_buffer("action_scale", torch.tensor((space.high - space.low) / 2.0, dtype=torch.float32))
        self.register_buffer("action_bias", torch.tensor((space.high + space.low) / 2.0, dtype=torch.float32))

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        mean = self.fc_mean(x)
        log_std = torch.tanh(self.fc_logstd(x))
        log_std = LOG_STD_MIN + 0.5 * (LOG_STD_MAX - LOG_STD_MIN) * (log_std + 1)
        return mean, log_std

    def get_action(self, x):
        mean, log_std = self(x)
        std = log_std.exp()
        normal = torch.distributions.Normal(mean, std)
        x_t = normal.rsample()
        y_t = torch.tanh(x_t)
        action = y_t * self.action_scale + self.action_bias
        log_prob = normal.log_prob(x_t)
        log_prob -= torch.log(self.action_scale * (1 - y_t.pow(2)) + 1e-6)
        log_prob = log_prob.sum(1, keepdim=True)
        mean = torch.tanh(mean) * self.action_scale + self.action_bias
        return action, log_prob, mean


def train(steps, warmup, batch_size=256, gamma=0.99, tau=0.005, policy_lr=3e-4, q_lr=1e-3,
          policy_frequency=2, target_network_frequency=1):
    """Runs `warmup` uncounted updates and `steps` counted ones; returns steps per second and the returns of episodes."""

    def make_env():
        env = gym.make("Pendulum-v1")
        env = gym.wrappers.RecordEpisodeStatistics(env)
        env.action_space.seed(1)
        return env

    envs = gym.vector.SyncVectorEnv([make_env], autoreset_mode=gym.vector.AutoresetMode.SAME_STEP)
    actor, qf1, qf2 = Actor(envs), SoftQNetwork(envs), SoftQNetwork(envs)
    qf1_target, qf2_target = SoftQNetwork(envs), SoftQNetwork(envs)
    qf1_target.load_state_dict(qf1.state_dict())
    qf2_target.load_state_dict(qf2.state_dict())
    q_optimizer = optim.Adam(list(qf1.parameters()) + list(qf2.parameters()), lr=q_lr)
    actor_optimizer = optim.Adam(list(actor.parameters()), lr=policy_lr)
    target_entropy = -torch.prod(torch.Tensor(envs.single_action_space.shape)).item()
    log_alpha = torch.zeros(1, requires_grad=True)
    alpha = log_alpha.exp().item()
    a_optimizer = optim.Adam([log_alpha], lr=q_lr)
    rb = ReplayBuffer(int(1e6), envs.single_observation_space, envs.single_action_space)

    learning_starts, returns = batch_size, []
    obs, _ = envs.reset(seed=1)
    for global_step in range(learning_starts + 1 + warmup + steps):
        if global_step == learning_starts + 1 + warmup:
            start = time.perf_counter()
        if global_step < learning_starts:
            actions = np.array([envs.single_action_space.sample()])
        else:
            actions, _, _ = actor.get_action(torch.Tensor(obs))
            actions = actions.detach().cpu().numpy()
        next_obs, rewards, terminations, truncations, infos = envs.step(actions)
        real_next_obs = next_obs.copy()
        for idx, trunc in enumerate(truncations):
            if trunc:
                real_next_obs[idx] = infos["final_obs"][idx]
                returns.append(float(infos["final_info"]["episode"]["r"][idx]))
        rb.add(obs, real_next_obs, actions, rewards, terminations)
        obs = next_obs

        if global_step > learning_starts:
            observations, sampled_actions, next_observations, dones, sampled_rewards = rb.sample(batch_size)
            with torch.no_grad():
                next_state_actions, next_state_log_pi, _ = actor.get_action(next_observations)
                qf1_next_target = qf1_target(next_observations, next_state_actions)
                qf2_next_target = qf2_target(next_observations, next_state_actions)
                min_qf_next_target = torch.min(qf1_next_target, qf2_next_target) - alpha * next_state_log_pi
                next_q_value = sampled_rewards.flatten() + (1 - dones.flatten()) * gamma * min_qf_next_target.view(-1)
            qf1_a_values = qf1(observations, sampled_actions).view(-1)
            qf2_a_values = qf2(observations, sampled_actions).view(-1)
            qf_loss = F.mse_loss(qf1_a_values, next_q_value) + F.mse_loss(qf2_a_values, next_q_value)
            q_optimizer.zero_grad()
            qf_loss.backward()
            q_optimizer.step()

            if global_step % policy_frequency == 0:
                for _ in range(policy_frequency):
                    pi, log_pi, _ = actor.get_action(observations)
                    min_qf_pi = torch.min(qf1(observations, pi), qf2(observations, pi))
                    actor_loss = ((alpha * log_pi) - min_qf_pi).mean()
                    actor_optimizer.zero_grad()
                    actor_loss.backward()
                    actor_optimizer.step()
                    with torch.no_grad():
                        _, log_pi, _ = actor.get_action(observations)
                    alpha_loss = (-log_alpha.exp() * (log_pi + target_entropy)).mean()
                    a_optimizer.zero_grad()
                    alpha_loss.backward()
                    a_optimizer.step()
                    alpha = log_alpha.exp().item()

            if global_step % target_network_frequency == 0:
                for source, target in ((qf1, qf1_target), (qf2, qf2_target)):
                    for param, target_param in zip(source.parameters(), target.parameters()):
                        target_param.data.copy_(tau * param.data + (1 - tau) * target_param.data)
    return steps / (time.perf_counter() - start), returns


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000, help="counted environment steps")
    parser.add_argument("--warmup", type=int, default=100, help="environment steps with updates before them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)
    rate, returns = train(options.steps, options.warmup)
    print(json.dumps({"stepsPerSecond": rate, "threads": options.threads, "lastReturns": returns[-10:]}))


if __name__ == "__main__":
    main()
