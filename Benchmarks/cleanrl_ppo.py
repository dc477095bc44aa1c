"""PPO as CleanRL's ppo.py writes it (single file, PyTorch, Gymnasium's SyncVectorEnv), to time and to compare with.

    .python Benchmarks/cleanrl_ppo.py [--steps 50000] [--seed 1]     prints one JSON object

The same networks (two tanh perceptrons of 64-64, orthogonal weights), the same loss and the same numbers as
Examples/cartpole-ppo.yaml's algorithm at CleanRL's settings. One thread.
"""

import argparse
import json
import time

import gymnasium as gym
import numpy as np
import torch
import torch.nn as nn
from torch.distributions.categorical import Categorical


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self, observations, actions):
        super().__init__()
        self.critic = nn.Sequential(
            layer_init(nn.Linear(observations, 64)), nn.Tanh(),
            layer_init(nn.Linear(64, 64)), nn.Tanh(),
            layer_init(nn.Linear(64, 1), std=1.0),
        )
        self.actor = nn.Sequential(
            layer_init(nn.Linear(observations, 64)), nn.Tanh(),
            layer_init(nn.Linear(64, 64)), nn.Tanh(),
            layer_init(nn.Linear(64, actions), std=0.01),
        )

    def get_value(self, x):
        return self.critic(x)

    def get_action_and_value(self, x, action=None):
        probs = Categorical(logits=self.actor(x))
        if action is None:
            action = probs.sample()
        return action, probs.log_prob(action), probs.entropy(), self.critic(x)


def train(total, seed, num_envs=4, num_steps=128, minibatches=4, epochs=4, gamma=0.99, lam=0.95, clip=0.2,
          ent_coef=0.01, vf_coef=0.5, lr=2.5e-4, warm=0.1):
    batch = num_envs * num_steps
    torch.manual_seed(seed)
    np.random.seed(seed)
    envs = gym.vector.SyncVectorEnv(
        [lambda: gym.wrappers.RecordEpisodeStatistics(gym.make("CartPole-v1")) for _ in range(num_envs)])
    agent = Agent(int(np.prod(envs.single_observation_space.shape)), envs.single_action_space.n)
    optimizer = torch.optim.Adam(agent.parameters(), lr=lr, eps=1e-5)
    shape = envs.single_observation_space.shape
    obs = torch.zeros((num_steps, num_envs) + shape)
    actions = torch.zeros((num_steps, num_envs))
    logprobs = torch.zeros((num_steps, num_envs))
    rewards = torch.zeros((num_steps, num_envs))
    dones = torch.zeros((num_steps, num_envs))
    values = torch.zeros((num_steps, num_envs))

    taken, returns_seen = 0, []
    next_obs = torch.Tensor(envs.reset(seed=seed)[0])
    next_done = torch.zeros(num_envs)
    updates = int(total * (1 + warm)) // batch
    begun, start = None, 0
    for update in range(1, updates + 1):
        if begun is None and taken >= total * warm:
            begun, start = time.perf_counter(), taken
        optimizer.param_groups[0]["lr"] = (1.0 - (update - 1.0) / updates) * lr
        for step in range(num_steps):
            taken += num_envs
            obs[step] = next_obs
            dones[step] = next_done
            with torch.no_grad():
                action, logprob, _, value = agent.get_action_and_value(next_obs)
                values[step] = value.flatten()
            actions[step] = action
            logprobs[step] = logprob
            next_obs, reward, terminated, truncated, info = envs.step(action.numpy())
            rewards[step] = torch.tensor(reward).view(-1)
            done = np.logical_or(terminated, truncated)
            next_obs, next_done = torch.Tensor(next_obs), torch.Tensor(done)
            if "episode" in info:
                returns_seen += [float(r) for r, d in zip(info["episode"]["r"], info["_episode"]) if d]

        with torch.no_grad():
            next_value = agent.get_value(next_obs).reshape(1, -1)
            advantages = torch.zeros_like(rewards)
            lastgaelam = 0
            for t in reversed(range(num_steps)):
                nonterminal = 1.0 - (next_done if t == num_steps - 1 else dones[t + 1])
                following = next_value if t == num_steps - 1 else values[t + 1]
                delta = rewards[t] + gamma * following * nonterminal - values[t]
                advantages[t] = lastgaelam = delta + gamma * lam * nonterminal * lastgaelam
            returns = advantages + values

        b_obs = obs.reshape((-1,) + shape)
        b_logprobs, b_actions = logprobs.reshape(-1), actions.reshape(-1)
        b_advantages, b_returns, b_values = advantages.reshape(-1), returns.reshape(-1), values.reshape(-1)
        b_inds = np.arange(batch)
        clipfracs = []
        for epoch in range(epochs):
            np.random.shuffle(b_inds)
            for first in range(0, batch, batch // minibatches):
                mb_inds = b_inds[first:first + batch // minibatches]
                _, newlogprob, entropy, newvalue = agent.get_action_and_value(b_obs[mb_inds], b_actions.long()[mb_inds])
                logratio = newlogprob - b_logprobs[mb_inds]
                ratio = logratio.exp()
                with torch.no_grad():
                    approx_kl = ((ratio - 1) - logratio).mean()
                    clipfracs += [((ratio - 1.0).abs() > clip).float().mean().item()]
                mb_advantages = b_advantages[mb_inds]
                mb_advantages = (mb_advantages - mb_advantages.mean()) / (mb_advantages.std() + 1e-8)
                pg_loss = torch.max(-mb_advantages * ratio,
                                    -mb_advantages * torch.clamp(ratio, 1 - clip, 1 + clip)).mean()
                newvalue = newvalue.view(-1)
                v_clipped = b_values[mb_inds] + torch.clamp(newvalue - b_values[mb_inds], -clip, clip)
                v_loss = 0.5 * torch.max((newvalue - b_returns[mb_inds]) ** 2,
                                         (v_clipped - b_returns[mb_inds]) ** 2).mean()
                loss = pg_loss - ent_coef * entropy.mean() + v_loss * vf_coef
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimizer.step()
        y_pred, y_true = b_values.numpy(), b_returns.numpy()
        np.var(y_true - y_pred), approx_kl.item(), np.mean(clipfracs)

    seconds = time.perf_counter() - begun
    recent = returns_seen[-100:]
    return {"name": "cartpole-ppo", "steps": taken - start, "seconds": seconds,
            "stepsPerSecond": (taken - start) / seconds, "return": float(np.mean(recent)) if recent else None}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50_000, help="that are timed, after a tenth as many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(json.dumps(train(options.steps, options.seed)))


if __name__ == "__main__":
    main()
